"""Watches events, starts a call, says a sentence in it, hands the caller over, and fetches the recording.

    pip install -r requirements.txt
    python client.py --token-file crm.token --to 1001 --trunk carrier --dialplan utility-hotline \
        --say "An agent will be with you in a moment." --transfer-to sip:agent@192.0.2.7 --recording call.wav

Written from docs/api.md and docs/integration.md alone.
"""

import argparse
import hashlib
import pathlib
import queue
import sys
import threading
import time
import uuid

import grpc

import stubs  # noqa: F401  generates hotline.v1
from hotline.v1 import calls_pb2, calls_pb2_grpc, recordings_pb2, recordings_pb2_grpc
from hotline.v1 import subscriptions_pb2, subscriptions_pb2_grpc

LONGEST_WAIT = 60


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="127.0.0.1:50061", help="where the API listens")
    parser.add_argument("--token-file", required=True, type=pathlib.Path)
    parser.add_argument("--ca", type=pathlib.Path, help="the authority of the server's certificate; without it, no TLS")
    parser.add_argument("--to", required=True, help="whom to call: a number or a SIP URI")
    parser.add_argument("--trunk", default="", help="the trunk for a number")
    parser.add_argument("--dialplan", required=True)
    parser.add_argument("--say", required=True)
    parser.add_argument("--transfer-to", required=True)
    parser.add_argument("--hang-up-after", type=float, help="seconds after which the call is ended; else whoever talks ends it")
    parser.add_argument("--recording", required=True, type=pathlib.Path)
    return parser.parse_args()


def connect(args: argparse.Namespace) -> grpc.Channel:
    if args.ca:
        return grpc.secure_channel(args.target, grpc.ssl_channel_credentials(args.ca.read_bytes()))
    return grpc.insecure_channel(args.target)


class Events:
    """The tenant's events from now on. Reconnects with the last cursor, so that none is missed."""

    def __init__(self, channel: grpc.Channel, metadata: list):
        self.stub = subscriptions_pb2_grpc.EventsStub(channel)
        self.metadata = metadata
        self.queue: queue.Queue = queue.Queue()
        self.cursor = None
        self.ready = threading.Event()
        threading.Thread(target=self.follow, daemon=True).start()
        if not self.ready.wait(LONGEST_WAIT):
            sys.exit("the event stream did not open")

    def follow(self) -> None:
        while True:
            request = subscriptions_pb2.EventsSubscribeRequest(heartbeat_seconds=1, cursor=self.cursor)
            try:
                for message in self.stub.Subscribe(request, metadata=self.metadata):
                    self.cursor = message.cursor
                    self.ready.set()
                    if message.WhichOneof("content") == "event":
                        event = message.event
                        print(f"event {event.cursor:>6}  {event.call_id}  {event.kind}", flush=True)
                        self.queue.put(event)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    print(f"events: {error.code().name}: {error.details()}", file=sys.stderr)
                time.sleep(1)

    def wait(self, call_id: str, kind: str, fits=lambda event: True):
        """The next event of that kind in that call."""
        deadline = time.monotonic() + LONGEST_WAIT
        while True:
            try:
                event = self.queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                sys.exit(f"no {kind} within {LONGEST_WAIT} s")
            if event.call_id == call_id and event.kind == kind and fits(event):
                return event
            if event.call_id == call_id and event.kind == "call.ended":
                sys.exit(f"the call ended before {kind}")


def fetch(channel: grpc.Channel, metadata: list, call_id: str, path: pathlib.Path) -> int:
    """Fetches a recording in two halves, as after a broken connection, and checks it."""
    stub = recordings_pb2_grpc.RecordingsStub(channel)
    data, digest = b"", ""
    first = stub.Get(recordings_pb2.RecordingsGetRequest(call_id=call_id, length=20_000), metadata=metadata)
    for piece in first:
        data += piece.data
        digest = digest or piece.sha256
    for piece in stub.Get(recordings_pb2.RecordingsGetRequest(call_id=call_id, offset=len(data)), metadata=metadata):
        data += piece.data
    if hashlib.sha256(data).hexdigest() != digest:
        sys.exit("the recording is damaged")
    path.write_bytes(data)
    return len(data)


def main() -> None:
    args = arguments()
    metadata = [("authorization", f"Bearer {args.token_file.read_text().strip()}")]
    channel = connect(args)
    calls = calls_pb2_grpc.CallsStub(channel)
    events = Events(channel, metadata)

    def key() -> str:
        return str(uuid.uuid4())

    started = calls.Start(
        calls_pb2.CallsStartRequest(to=args.to, trunk=args.trunk, dialplan=args.dialplan, idempotency_key=key()),
        metadata=metadata, timeout=10)
    call_id = started.call_id
    print(f"call {call_id}")
    events.wait(call_id, "call.answered")

    calls.Say(
        calls_pb2.CallsSayRequest(call_id=call_id, text=args.say, interrupt=True, idempotency_key=key()),
        metadata=metadata, timeout=10)
    events.wait(call_id, "said", lambda event: event.data["text"] == args.say and event.data["complete"])
    print("said")

    calls.Transfer(
        calls_pb2.CallsTransferRequest(call_id=call_id, to=args.transfer_to, idempotency_key=key()),
        metadata=metadata, timeout=10)
    if args.hang_up_after is not None:
        events.wait(call_id, "transfer")
        time.sleep(args.hang_up_after)
        calls.HangUp(
            calls_pb2.CallsHangUpRequest(call_id=call_id, disposition="handed_over", idempotency_key=key()),
            metadata=metadata, timeout=10)
    events.wait(call_id, "call.ended")
    print("transferred, and over")

    transcript = recordings_pb2_grpc.RecordingsStub(channel).GetTranscript(
        recordings_pb2.RecordingsGetTranscriptRequest(call_id=call_id), metadata=metadata)
    for line in transcript.utterances:
        print(f"{line.at_ms / 1000:>8.2f}  {recordings_pb2.Speaker.Name(line.speaker)}  {line.text}")
    size = fetch(channel, metadata, call_id, args.recording)
    print(f"recording of {size} bytes in {args.recording}")


if __name__ == "__main__":
    main()
