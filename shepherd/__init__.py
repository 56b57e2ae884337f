"""HTTP in: authenticate, decode, validate, batch, place, acknowledge (I1, I2, I8, I9)."""
