"""From what a reader found to the event that is sent: time, sample rate, depth, values."""
