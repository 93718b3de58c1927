"""One journey of the official gRPC client for Python: it knows the shop by nothing but its reflection.

Usage: interop.py HOST:PORT. Prints the name of each step that held; the first that does not ends it.
"""

import sys

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

TIME_MAX = 10
CATALOGUE = "shop.catalogue.v1.CatalogueService"
ORDERS = "shop.orders.v1.OrdersService"


def rpc_error_messages(pool):
    """google.rpc.Status and ErrorInfo, from their published numbers."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="interop_error.proto", package="google.rpc", syntax="proto3", dependency=["google/protobuf/any.proto"]
    )
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    status.field.add(name="message", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    status.field.add(
        name="details",
        number=3,
        type=field.TYPE_MESSAGE,
        type_name=".google.protobuf.Any",
        label=field.LABEL_REPEATED,
    )
    info = file.message_type.add(name="ErrorInfo")
    info.field.add(name="reason", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    info.field.add(name="domain", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    pool.Add(descriptor_pb2.FileDescriptorProto.FromString(any_pb2.DESCRIPTOR.serialized_pb))
    pool.Add(file)
    made = lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName("google.rpc." + name))
    return made("Status"), made("ErrorInfo")


class Client:
    """Calls methods by name, with messages that reflection described."""

    def __init__(self, channel):
        self.channel = channel
        self.reflection = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.reflection)

    def call(self, service, method, timeout=TIME_MAX, **fields):
        described = self.pool.FindServiceByName(service).FindMethodByName(method)
        request = message_factory.GetMessageClass(described.input_type)
        answer = message_factory.GetMessageClass(described.output_type)
        kind = self.channel.unary_stream if described.server_streaming else self.channel.unary_unary
        stub = kind(
            f"/{service}/{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=answer.FromString,
        )
        return stub(request(**fields), timeout=timeout)

    def refused(self, *arguments, **fields):
        try:
            answer = self.call(*arguments, **fields)
            for _ in answer if hasattr(answer, "__next__") else ():
                pass
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"{arguments} was not refused")


def main(address):
    with grpc.insecure_channel(address) as channel:
        client = Client(channel)
        services = client.reflection.get_services()
        assert {CATALOGUE, ORDERS, "grpc.health.v1.Health"} <= set(services), services
        print("reflection")

        health = health_pb2_grpc.HealthStub(channel)
        checked = health.Check(health_pb2.HealthCheckRequest(service=CATALOGUE), timeout=TIME_MAX)
        assert checked.status == health_pb2.HealthCheckResponse.SERVING, checked
        print("health")

        first = client.call(CATALOGUE, "ListProducts", page_size=3)
        second = client.call(CATALOGUE, "ListProducts", page_size=3, page_token=first.next_page_token)
        ids = [product.id for page in (first, second) for product in page.products]
        assert len(ids) == len(set(ids)) == 6, ids
        print("list")

        product = client.call(CATALOGUE, "GetProduct", handle=first.products[0].handle).product
        assert product == first.products[0], product
        print("get")

        error = client.refused(CATALOGUE, "GetProduct", handle="no-such-thing")
        assert error.code() == grpc.StatusCode.NOT_FOUND, error
        status_class, info_class = rpc_error_messages(descriptor_pool.DescriptorPool())
        trailers = dict(error.trailing_metadata())
        status = status_class.FromString(trailers["grpc-status-details-bin"])
        infos = [
            info_class.FromString(detail.value)
            for detail in status.details
            if detail.type_url.endswith("/google.rpc.ErrorInfo")
        ]
        assert [info.reason for info in infos] == ["PRODUCT_NOT_FOUND"], infos
        assert status.code == grpc.StatusCode.NOT_FOUND.value[0], status
        print("error details")

        # A stream that has nothing to tell lasts until the time that was given is over.
        error = client.refused("shop.inventory.v1.InventoryService", "WatchStock", timeout=1, skus=["NOT-THERE"])
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
        print("deadline")

        error = client.refused(ORDERS, "ListOrders", page_size=1, all_accounts=True)
        assert error.code() == grpc.StatusCode.UNAUTHENTICATED, error
        print("policy")


main(sys.argv[1])
