"""The door to Kafka: every client is made here, and a connection of ours asks first."""
