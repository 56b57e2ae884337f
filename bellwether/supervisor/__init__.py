"""`bellwether up`: start, watch and stop every role of one machine."""
