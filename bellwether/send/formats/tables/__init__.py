"""CSV, TSV and other tables with a header."""
