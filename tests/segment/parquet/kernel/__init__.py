"""The compiled encoders, one by one, against oracles that read the format slowly."""
