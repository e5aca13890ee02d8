"""Storage: an ordered key-value store (LevelDB, or memory) and the records in it."""

from hypercore.storage.database import Database, open_database
from hypercore.storage.keyvalue import KeyValueStore, Reader, WriteBatch
from hypercore.storage.leveldb import LevelDB
from hypercore.storage.memory import Memory

__all__ = ["Database", "KeyValueStore", "LevelDB", "Memory", "Reader", "WriteBatch", "open_database"]
