"""Browses a running service by reflection, as grpcurl does: no file of ours is needed.

    python browse.py                      # its services
    python browse.py hotline.v1.Calls     # the methods of one
    python browse.py hotline.v1.Call      # the fields of a message
"""

import argparse

import grpc
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="127.0.0.1:50061")
    parser.add_argument("symbol", nargs="?")
    args = parser.parse_args()
    database = ProtoReflectionDescriptorDatabase(grpc.insecure_channel(args.target))
    if not args.symbol:
        print("\n".join(sorted(database.get_services())))
        return
    pool = descriptor_pool.DescriptorPool(database)
    if args.symbol in database.get_services():
        for method in pool.FindServiceByName(args.symbol).methods:
            print(f"{method.name}({method.input_type.full_name}) returns ({method.output_type.full_name})")
        return
    for field in pool.FindMessageTypeByName(args.symbol).fields:
        print(f"{field.number:>3}  {field.name}")


if __name__ == "__main__":
    main()
