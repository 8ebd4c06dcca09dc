// What viem makes of the sandbox: printed as one JSON object, judged by test_viem.py.
import { readFileSync } from "node:fs";
import {
  createPublicClient, createWalletClient, defineChain, http, webSocket,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

const artifact = JSON.parse(readFileSync(process.env.ARTIFACT, "utf8"));
const { abi } = artifact;
const chain = defineChain({
  id: 668283,
  name: "Novate",
  nativeCurrency: { name: "none", symbol: "NONE", decimals: 18 },
  rpcUrls: { default: { http: [process.env.HTTP_URL] } },
});
const account = privateKeyToAccount(process.env.PRIVATE_KEY);
const transport = http(process.env.HTTP_URL, { batch: true });
const client = createPublicClient({ chain, transport, pollingInterval: 100 });
const wallet = createWalletClient({ account, chain, transport });
const outcome = {};

outcome.chain = await client.getChainId();
outcome.balance = await client.getBalance({ address: account.address });
outcome.finalized = (await client.getBlock({ blockTag: "finalized", includeTransactions: true }))
  .number >= 0n;
outcome.history = (await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] }))
  .gasUsedRatio.length;

const created = await wallet.deployContract({ abi, bytecode: artifact.bytecode });
const creation = await client.waitForTransactionReceipt({ hash: created });
outcome.creation = { to: creation.to, status: creation.status };
const address = creation.contractAddress;
const read = (functionName, args) => client.readContract({ address, abi, functionName, args });

outcome.administrator = (await read("administrator")) === account.address;
try {
  await read("signer_of", [7n]);
} catch (error) {
  outcome.reverted = error.cause.reason;
}
outcome.legacy = (await client.waitForTransactionReceipt({
  hash: await wallet.sendTransaction({ to: account.address, type: "legacy", gasPrice: 0n }),
})).type;

const polled = new Promise((resolve) => {
  client.watchContractEvent({ address, abi, poll: true, onLogs: ([log]) => resolve(log.eventName) });
});
const sockets = createPublicClient({ chain, transport: webSocket(process.env.WS_URL) });
const head = new Promise((resolve) => {
  sockets.watchBlocks({ onBlock: (block) => resolve(block.number) });
});
const told = new Promise((resolve) => {
  sockets.watchContractEvent({ address, abi, onLogs: ([log]) => resolve(log.eventName) });
});
await sockets.getBlockNumber();
await new Promise((resolve) => setTimeout(resolve, 300));
const hash = await wallet.writeContract({ address, abi, functionName: "renounce_administration" });
const receipt = await client.waitForTransactionReceipt({ hash });
outcome.type = receipt.type;
outcome.head = (await head) === receipt.blockNumber;
outcome.polled = await polled;
outcome.told = await told;
const found = await client.getContractEvents({ address, abi, fromBlock: 0n });
outcome.logs = found.map((log) => log.args.administrator === account.address);
const numbers = await Promise.all([1n, 2n, 3n].map((n) => client.getBlock({ blockNumber: n })));
outcome.batch = numbers.map((block) => Number(block.number));

console.log(JSON.stringify(outcome, (_, value) => typeof value === "bigint" ? `${value}` : value));
process.exit(0);
