"""What differs between two traces, or between one and the typical of many good ones (ADR 0059)."""
