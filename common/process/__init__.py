"""What every role does as a process: announce, serve HTTP, authenticate, drain, raise alarms."""
