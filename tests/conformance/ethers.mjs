// What ethers makes of the sandbox: printed as one JSON object, judged by test_ethers.py.
import { readFileSync } from "node:fs";
import { Contract, ContractFactory, JsonRpcProvider, Wallet, WebSocketProvider } from "ethers";

const artifact = JSON.parse(readFileSync(process.env.ARTIFACT, "utf8"));
// Without a cache: blocks are faster here than the quarter of a second that ethers remembers.
const provider = new JsonRpcProvider(process.env.HTTP_URL, undefined, { cacheTimeout: -1 });
const wallet = new Wallet(process.env.PRIVATE_KEY, provider);
const outcome = {};

outcome.chain = (await provider.getNetwork()).chainId.toString();
outcome.balance = (await provider.getBalance(wallet.address)).toString();
outcome.fees = await provider.getFeeData();
outcome.block = (await provider.getBlock("finalized", true)).prefetchedTransactions.length;

const deployed = await new ContractFactory(artifact.abi, artifact.bytecode, wallet).deploy();
const creation = await deployed.deploymentTransaction().wait();
outcome.creation = { to: creation.to, contract: creation.contractAddress, status: creation.status };
outcome.bloom = creation.logsBloom.length;

const contract = new Contract(await deployed.getAddress(), artifact.abi, wallet);
outcome.administrator = (await contract.administrator()) === wallet.address;
outcome.estimate = (await contract.renounce_administration.estimateGas()).toString();
try {
  await contract.signer_of(7);
} catch (error) {
  outcome.reverted = error.reason;
}

const legacy = await wallet.sendTransaction({ to: wallet.address, type: 0, gasPrice: 0 });
outcome.legacy = (await legacy.wait()).type;

const sockets = new WebSocketProvider(process.env.WS_URL);
const block = new Promise((resolve) => sockets.once("block", resolve));
const event = new Promise((resolve) => {
  const listening = new Contract(contract.target, artifact.abi, sockets);
  listening.once("AdministrationRenounced", (administrator) => resolve(administrator));
});
await sockets.getBlockNumber();
await new Promise((resolve) => setTimeout(resolve, 200));
// Left alone, ethers takes a base fee of zero for none and sends legacy transactions.
const fees = { type: 2, maxFeePerGas: 0, maxPriorityFeePerGas: 0 };
const sent = await contract.renounce_administration(fees);
const receipt = await sent.wait();
outcome.type = receipt.type;
outcome.toldBlock = (await block) === receipt.blockNumber;
outcome.toldEvent = (await event) === wallet.address;
const logs = await contract.queryFilter("AdministrationRenounced", 0, "latest");
outcome.logs = logs.map((log) => log.args[0] === wallet.address);

const batch = await Promise.all([1, 2, 3].map((number) => provider.getBlock(number)));
outcome.batch = batch.map((each) => each.number);

console.log(JSON.stringify(outcome, (_, value) => typeof value === "bigint" ? `${value}` : value));
await sockets.destroy();
provider.destroy();
