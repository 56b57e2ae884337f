"""Checks of a machine, a data folder and a cluster's servers, each with its remedy."""
