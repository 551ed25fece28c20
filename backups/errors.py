"""What can go wrong with a backup, in one plain sentence each."""


class BackupError(Exception):
    """A backup cannot be made, read or restored. `message` is one plain sentence, or a few."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class DamagedBackupError(BackupError):
    """What is in the backup is not what was put there."""
