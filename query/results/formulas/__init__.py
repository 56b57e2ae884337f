"""Formulas: values of a row that are computed of its calculations, by the language of fields."""
