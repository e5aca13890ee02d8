"""A small core in memory, what is stored of it, and ways to damage that."""

from hypercore import Hypercore, KeyPair
from hypercore.core import CoreState, audit_core, open_core
from hypercore.crypto import discovery_key
from hypercore.encoding import encode_index
from hypercore.manifest import Manifest
from hypercore.storage import Database
from hypercore.storage.records import CoreKeys

PAIR = KeyPair.from_seed(bytes([7]) * 32)
KEY = Manifest.for_key(PAIR.public_key).key()
KEYS = CoreKeys(0)
BLOCKS = [b"block %d" % number for number in range(7)]


def block_key(index, keys=KEYS):
    return keys.block + encode_index(index)


def node_key(index, keys=KEYS):
    return keys.node + encode_index(index)


def opened(store):
    return Hypercore.attached(open_core(Database(store), key_pair=PAIR), lambda: None)


def opened_copy(store):
    return Hypercore.attached(open_core(Database(store), key=KEY), lambda: None)


def state_of(store):
    return CoreState(Database(store), discovery_key(KEY))


def write(store, key, value):
    """Replace a record; None removes it."""
    batch = store.batch()
    batch.delete(key) if value is None else batch.put(key, value)
    batch.write()


def audit(store, **options):
    return list(audit_core(state_of(store), **options))


def flipped(value):
    return bytes([value[0] ^ 1]) + value[1:]
