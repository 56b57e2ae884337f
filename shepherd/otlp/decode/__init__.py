"""From a request's protobuf bytes to lines of records: the readable decoder, and a compiled one."""
