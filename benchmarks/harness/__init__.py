"""The harness: workers, inputs, repetitions in a seeded order, and what a run found."""
