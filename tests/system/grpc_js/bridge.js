// Let a test drive the client of client.js: one JSON command a line comes in, one JSON answer a line goes out.
"use strict";

const readline = require("node:readline");
const { Client, RenkeiError, loadContract } = require("./client.js");

const contract = loadContract(process.argv[2]);
const clients = new Map();
const running = new Map();

function say(id, answer) {
  process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`);
}

function clientOf(address) {
  if (!clients.has(address)) clients.set(address, new Client(contract, address));
  return clients.get(address);
}

const COMMANDS = {
  async *call(client, { service, method, request, options }) {
    yield await client.call(service, method, request, options);
  },
  async *bytes(client, { service, method, bytes, options }) {
    yield (await client.callBytes(service, method, Buffer.from(bytes, "base64"), options)).toString("base64");
  },
  pages: (client, { service, method, request, options }) => client.pages(service, method, request, options),
  watch: (client, { service, method, request, options }, signal) =>
    client.watch(service, method, request, { ...options, signal }),
  load: (client, { service, method, request, options }) => client.load(service, method, request, options),
};

async function run(command) {
  const { id, op, address } = command;
  const ending = new AbortController();
  running.set(id, ending);
  try {
    for await (const item of COMMANDS[op](clientOf(address), command, ending.signal)) say(id, { item });
    say(id, { end: true });
  } catch (error) {
    if (!(error instanceof RenkeiError)) throw error; // an error of the client itself ends the program, and so the test
    say(id, { error: { ...error, message: error.message } });
  } finally {
    running.delete(id);
  }
}

readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    if (command.op === "cancel") running.get(command.target)?.abort();
    else run(command);
  })
  .on("close", () => process.exit(0));
