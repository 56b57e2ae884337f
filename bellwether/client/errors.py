"""The error that every client command ends with."""


class ClientError(Exception):
    """The request cannot be made or was refused. The message states the cause and the remedy."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
