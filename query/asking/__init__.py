"""What is known of a question while it is answered: who asks, what it reads, how it ends."""
