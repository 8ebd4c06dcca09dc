"""What an operator needs to run the contracts on Hyperledger Besu with QBFT: files, no more."""
