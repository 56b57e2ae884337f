"""The two forms of a series: a row per step and group, or a column per group and calculation."""
