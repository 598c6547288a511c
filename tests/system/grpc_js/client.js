// Call a Renkei node from Node.js: typed errors, second tries, pages, watches and loads that resume.
// It knows the published contract and nothing of how the node is built.
"use strict";

const path = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const SERVICES = [
  "tips/v1/tips",
  "tips/v1/opinions",
  "arrests/v1/arrests",
  "arrests/v1/clocks",
  "arrests/v1/exhibits",
  "arrests/v1/sealed",
  "leads/v1/leads",
  "leads/v1/follow_up",
  "exchange/v1/exchange",
  "event/v1/log",
];
const OPTIONS = { keepCase: true, longs: String, enums: String, bytes: String, defaults: false, oneofs: true };
const PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

// What a node refused: `reason` is for programs, the message for people. Only UNAVAILABLE is worth a second try.
class RenkeiError extends Error {
  constructor(code, reason, message, metadata, violations) {
    super(`${code} ${reason}: ${message}`);
    Object.assign(this, { code, reason, metadata, violations });
  }
}

// Read the contract from a folder of .proto files. One for all connections.
function loadContract(protoFolder) {
  const files = SERVICES.map((name) => `renkei/${name}.proto`);
  const definition = loader.loadSync([...files, "google/rpc/error_details.proto", "google/rpc/status.proto"], {
    ...OPTIONS,
    includeDirs: [protoFolder, path.join(protoFolder, "third_party")],
  });
  return grpc.loadPackageDefinition(definition);
}

class Client {
  constructor(contract, address, token) {
    this.contract = contract;
    this.token = token;
    this.stubs = new Map();
    this.address = address;
  }

  // Answer once. UNAVAILABLE is tried again until the time is over; the request_id makes that safe for writes.
  async call(service, method, request, { seconds = 10, tries = Infinity, token } = {}) {
    const end = Date.now() + seconds * 1000;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const options = seconds === null ? {} : { deadline: end };
        return await new Promise((resolve, reject) => {
          this.#stub(service)[method](request, this.#metadata(token), options, (error, answer) =>
            error ? reject(this.#typed(error)) : resolve(answer),
          );
        });
      } catch (error) {
        const wait = Math.random() * Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** attempt);
        if (error.code !== "UNAVAILABLE" || attempt >= tries || Date.now() + wait >= end) throw error;
        await pause(wait);
      }
    }
  }

  // Send bytes as they are, as a client with another contract would.
  callBytes(service, method, bytes, { seconds = 10, token } = {}) {
    const same = (value) => value;
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + seconds * 1000 };
      const done = (error, answer) => (error ? reject(this.#typed(error)) : resolve(answer));
      this.#stub(service).makeUnaryRequest(`/${service}/${method}`, same, same, bytes, this.#metadata(token), options, done);
    });
  }

  // Give page after page of a List or Search.
  async *pages(service, method, request, options) {
    for (let pageToken = ""; ; ) {
      const page = await this.call(service, method, { ...request, page_token: pageToken }, options);
      yield page;
      pageToken = page.next_page_token;
      if (!pageToken) return;
    }
  }

  // Give the answers of a watch for ever. A connection that ends is resumed after the last answer, without gap or repetition.
  async *watch(service, method, request, { signal, token, tries = Infinity } = {}) {
    for (let resumeToken = request.resume_token ?? "", failures = 0; ; failures += 1) {
      const stream = this.#stub(service)[method]({ ...request, resume_token: resumeToken }, this.#metadata(token));
      const stop = () => stream.cancel();
      signal?.addEventListener("abort", stop);
      try {
        for await (const answer of stream) {
          failures = 0;
          resumeToken = answer.resume_token;
          yield answer;
        }
      } catch (error) {
        const typed = this.#typed(error);
        if (signal?.aborted) return;
        const resumable = ["UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED"].includes(typed.code);
        if (!resumable || failures + 1 >= tries) throw typed;
      } finally {
        signal?.removeEventListener("abort", stop);
        stream.cancel();
      }
      await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** failures));
    }
  }

  // Load rows in messages of `size` rows, and give each row's result. What a broken connection left unanswered is sent again
  // under the same load_id, which records nothing twice.
  async *load(service, method, { load_id, parent, rows, size = 100 }, { tries = Infinity, token } = {}) {
    const waiting = new Map(rows.map((row) => [String(row.row), row]));
    for (let attempt = 1; waiting.size > 0; attempt += 1) {
      const stream = this.#stub(service)[method](this.#metadata(token));
      const unanswered = [...waiting.values()];
      for (let first = 0; first < unanswered.length; first += size) {
        stream.write({ load_id, parent, rows: unanswered.slice(first, first + size) });
      }
      stream.end();
      try {
        for await (const answer of stream) {
          for (const result of answer.results) {
            waiting.delete(String(result.row));
            yield this.#rowResult(result);
          }
        }
      } catch (error) {
        const typed = this.#typed(error);
        if (typed.code !== "UNAVAILABLE" || attempt >= tries) throw typed;
        await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** attempt));
      } finally {
        stream.cancel();
      }
    }
  }

  close() {
    for (const stub of this.stubs.values()) stub.close();
  }

  #stub(service) {
    if (!this.stubs.has(service)) {
      const kind = service.split(".").reduce((part, name) => part[name], this.contract);
      const options = {
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.max_reconnect_backoff_ms": 1000,
        "grpc.enable_http_proxy": 0,
        "grpc.enable_retries": 0,
      };
      this.stubs.set(service, new kind(this.address, grpc.credentials.createInsecure(), options));
    }
    return this.stubs.get(service);
  }

  #metadata(token = this.token) {
    const metadata = new grpc.Metadata();
    if (token) metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }

  #decode(name, bytes) {
    const type = name.split(".").reduce((part, word) => part[word], this.contract);
    return type.deserialize(bytes);
  }

  // The details travel beside the status, as bytes of google.rpc.Status.
  #typed(error) {
    if (error instanceof RenkeiError) return error;
    const code = grpc.status[error.code] ?? "UNKNOWN";
    const raw = error.metadata?.get("grpc-status-details-bin")[0];
    return this.#explained(code, error.details ?? error.message, raw ? this.#decode("google.rpc.Status", raw).details : []);
  }

  #explained(code, message, details) {
    let reason = "UNKNOWN";
    let metadata = {};
    let violations = [];
    for (const { type_url: typeUrl, value } of details ?? []) {
      const name = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
      const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value, "base64");
      if (name === "google.rpc.ErrorInfo") ({ reason, metadata = {} } = this.#decode(name, bytes));
      if (name === "google.rpc.BadRequest") violations = this.#decode(name, bytes).field_violations;
    }
    return new RenkeiError(code, reason, message, metadata, violations);
  }

  #rowResult(result) {
    if (!result.error) return { row: result.row, name: result.name };
    const { code, message, details } = result.error;
    return { row: result.row, error: this.#explained(grpc.status[code], message, details) };
  }
}

module.exports = { Client, RenkeiError, loadContract };
