import pytest

from hypercore import Hypercore, KeyPair
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest

PAIR = KeyPair.from_seed(b"\x01" * 32)
SECRET = b"k" * 32


@pytest.mark.parametrize("key", [PAIR.public_key, None], ids=["compat", "manifest"])
def test_a_copy_reads_an_encrypted_core_as_soon_as_its_manifest_is_known(key):
    source = Hypercore(key=key, key_pair=PAIR, encryption_key=SECRET)
    source.append([b"hello", b"", b"world"])
    copy = Hypercore(key=source.key, encryption_key=SECRET)
    session = copy.session()
    for index in range(3):
        upgrade = UpgradeRequest(copy.length, 3 - copy.length) if copy.length < 3 else None
        block = NodeRequest(index, copy.missing_nodes(2 * index))
        copy.apply_proof(source.proof(ProofRequest(block=block, upgrade=upgrade)))
    for view in (copy, session):
        assert list(view.read_stream()) == [b"hello", b"", b"world"]
