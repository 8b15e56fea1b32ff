"""A third party's client: made from the published contract with grpcio, and nothing of ours beside it.

Usage: client.py PROTO_FOLDER QUESTIONS.json

The questions say where the gateway is, who we are, and whom to ask about; the answers go to stdout, one JSON object.
"""

import importlib
import importlib.resources
import json
import sys
import tempfile
from pathlib import Path

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_tools import protoc


def generate(contract: Path, out: str) -> None:
    """Makes the messages and stubs of the contract, as its documentation would tell a third party to."""
    files = sorted(str(found) for found in contract.rglob("*.proto"))
    includes = importlib.resources.files("grpc_tools") / "_proto"
    arguments = ["protoc", f"-I{contract}", f"-I{includes}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(arguments + files) != 0:
        sys.exit("the contract cannot be compiled")


def connect(where: dict) -> grpc.Channel:
    read = lambda key: Path(where[key]).read_bytes()
    credentials = grpc.ssl_channel_credentials(read("ca"), read("key"), read("cert"))
    options = [("grpc.ssl_target_name_override", "localhost")]
    return grpc.secure_channel(where["address"], credentials, options)


def refusal(error: grpc.RpcError) -> dict:
    """What a program can do with a refusal: its code, its stable reason, its faults, when to try again."""
    told = {"code": error.code().name, "message": error.details()}
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info, bad, retry, quota = (
                error_details_pb2.ErrorInfo(),
                error_details_pb2.BadRequest(),
                error_details_pb2.RetryInfo(),
                error_details_pb2.QuotaFailure(),
            )
            if detail.Unpack(info):
                told["reason"] = info.reason
            elif detail.Unpack(bad):
                told["fields"] = [violation.field for violation in bad.field_violations]
            elif detail.Unpack(retry):
                told["retry_seconds"] = retry.retry_delay.seconds
            elif detail.Unpack(quota):
                told["quota"] = [violation.subject for violation in quota.violations]
    return told


def main() -> None:
    contract, questions = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    with tempfile.TemporaryDirectory() as out:
        generate(contract, out)
        sys.path.insert(0, out)
        messages = importlib.import_module("lienthong.identity.v1.identity_service_pb2")
        stubs = importlib.import_module("lienthong.identity.v1.identity_service_pb2_grpc")
        from google.protobuf.json_format import MessageToDict, ParseDict

        answers = {}
        with connect(questions["where"]) as channel:
            service = stubs.IdentityServiceStub(channel)
            for name, question in questions["ask"].items():
                method = getattr(service, question["method"])
                request = ParseDict(question["request"], getattr(messages, f"{question['method']}Request")())
                try:
                    answer = method(request, timeout=10)
                    answers[name] = MessageToDict(answer, preserving_proto_field_name=True)
                except grpc.RpcError as error:
                    answers[name] = {"refused": refusal(error)}
        json.dump(answers, sys.stdout, ensure_ascii=False)


main()
