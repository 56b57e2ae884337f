"""Operations: status, doctor, retention, rolling restarts, monitoring, keys and datasets."""
