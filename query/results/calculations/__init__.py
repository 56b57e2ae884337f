"""Calculations whose values are more than one number, or need more than their own step."""
