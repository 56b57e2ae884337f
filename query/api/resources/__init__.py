"""Resources that clients manage: datasets, columns, markers, derived columns and the like."""
