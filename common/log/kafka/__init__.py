"""The log on Kafka. Why the client is built this way: docs/adr/0005-kafka-client.md."""
