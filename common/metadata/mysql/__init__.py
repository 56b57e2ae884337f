"""Metadata in MySQL or MariaDB (pymysql)."""
