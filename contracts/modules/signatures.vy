# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title EIP-712 digests and compact signatures
@license Apache-2.0
@notice One way to say what a participant signed and to find who signed it. A signature is
        in the compact form of ERC-2098 (r, and s with the parity of y in its top bit), so a
        second encoding of the same signature does not exist once `s` is low.
"""

struct Signature:
    r: bytes32
    vs: bytes32


# Half the order of secp256k1: above it, `s` has a twin that signs the same digest.
LOW_S_MAX: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168
PARITY_BIT: constant(uint256) = 255
S_MASK: constant(uint256) = (1 << PARITY_BIT) - 1

DOMAIN_TYPE_HASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)

CHAIN_ID: immutable(uint256)
DOMAIN_SEPARATOR: immutable(bytes32)


@deploy
def __init__():
    """
    @notice Fixes the EIP-712 domain: name Novate, version 1, this chain, this contract.
    """
    CHAIN_ID = chain.id
    DOMAIN_SEPARATOR = keccak256(
        abi_encode(
            DOMAIN_TYPE_HASH, keccak256("Novate"), keccak256("1"), chain.id, self
        )
    )


@internal
@view
def _digest(struct_hash: bytes32) -> bytes32:
    """
    @notice The 32 bytes that are signed. This is an `internal` function without access restriction.
    @param struct_hash The EIP-712 hash of the typed message.
    @return The EIP-712 digest under this contract's domain.
    """
    assert chain.id == CHAIN_ID, "signatures: other chain"
    return keccak256(concat(x"1901", DOMAIN_SEPARATOR, struct_hash))


@internal
@pure
def _signer(digest: bytes32, signature: Signature) -> address:
    """
    @notice Who signed. This is an `internal` function without access restriction.
    @param digest The 32 bytes that were signed.
    @param signature The signature in compact form.
    @return The signing address, never the zero address.
    """
    vs: uint256 = convert(signature.vs, uint256)
    s: uint256 = vs & S_MASK
    assert s <= LOW_S_MAX, "signatures: high s"
    signer: address = ecrecover(
        digest, 27 + (vs >> PARITY_BIT), convert(signature.r, uint256), s
    )
    assert signer != empty(address), "signatures: not recoverable"
    return signer
