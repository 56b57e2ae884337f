"""Operating: what is stored, whether it is whole, who may ask."""
