"""The cluster: one topology, as plain processes of this machine or as a Docker compose file."""
