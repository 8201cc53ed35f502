// Follows the events of a service and resumes where it was when the connection breaks.
//
//     npm install
//     node events.js 127.0.0.1:50061 crm.token [CURSOR]
"use strict";

const fs = require("fs");
const path = require("path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [target = "127.0.0.1:50061", tokenFile, from] = process.argv.slice(2);
if (!tokenFile) {
  console.error("usage: node events.js HOST:PORT TOKEN_FILE [CURSOR]");
  process.exit(2);
}

const proto = path.join(__dirname, "../../../proto");
const definitions = loader.loadSync("hotline/v1/subscriptions.proto", { includeDirs: [proto], longs: String });
const { hotline } = grpc.loadPackageDefinition(definitions);
const client = new hotline.v1.Events(target, grpc.credentials.createInsecure());

const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${fs.readFileSync(tokenFile, "utf8").trim()}`);

let cursor = from;

function follow() {
  const stream = client.Subscribe(cursor === undefined ? {} : { cursor }, metadata);
  stream.on("data", (message) => {
    cursor = message.cursor;
    if (message.event) {
      console.log(`${cursor} ${message.event.callId} ${message.event.kind}`);
    }
  });
  stream.on("error", (error) => {
    console.error(`${error.code} ${error.details}`);
    // UNAUTHENTICATED and INVALID_ARGUMENT will not pass by waiting.
    if (error.code === grpc.status.UNAUTHENTICATED || error.code === grpc.status.INVALID_ARGUMENT) {
      process.exit(1);
    }
    setTimeout(follow, 1000);
  });
  stream.on("end", () => setTimeout(follow, 1000));
}

follow();
