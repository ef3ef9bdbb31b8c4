"""Moto's server, with what its envelopes lack for new SDKs. No content is changed.

CloudWatch: moto does not know the protocol rpc-v2-cbor. A call in CBOR is made again with
botocore, in JSON, and its answer goes back in CBOR, both by botocore's own models: nothing in
here knows what an alarm is.

S3: moto names the root of two answers after the operation. AWS's are VersioningConfiguration and
NotificationConfiguration (S3 API reference, GetBucketVersioning and
GetBucketNotificationConfiguration), and the SDK insists.

Lambda: moto answers about a mapping that is not there with status 404, the content type of a page,
and no code. AWS's is ResourceNotFoundException (GetEventSourceMapping, Lambda API reference).

Lambda: moto does not know whether a function may go on invoking itself. What is put is what is
got, and the default is Terminate (PutFunctionRecursionConfig, Lambda API reference).
"""

import json
import os
import sys

# Read by moto when it is imported: the account of whoever signs with a key that it did not make.
os.environ["MOTO_ACCOUNT_ID"] = sys.argv[2]

import boto3
from botocore.exceptions import ClientError
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.wrappers import Response

PREFIX = "/service/GraniteServiceVersion20100801/operation/"

ROOTS = ("versioning", "notification")

# By path, which names the function.
recursion = {}

port = int(sys.argv[1])
moto = DomainDispatcherApplication(create_backend_app)
parser, serializer = RpcV2CBORParser(), RpcV2CBORSerializer()
session = boto3.session.Session()


def decoded(body):
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}


def encoded(value, shape):
    body = bytearray()
    serializer._serialize_data_item(body, value, shape)
    return bytes(body)


def client_of(environ):
    # Credential=<key>/<date>/<region>/<service>/aws4_request
    scope = environ["HTTP_AUTHORIZATION"].split("Credential=")[1].split("/")
    return session.client(
        "cloudwatch",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=scope[2],
        aws_access_key_id=scope[0],
        aws_secret_access_key="test",
    )


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if environ["QUERY_STRING"].rstrip("=") in ROOTS:
        root = environ["QUERY_STRING"].rstrip("=").encode()
        wrong, right = b"GetBucket%sResponse" % root.title(), b"%sConfiguration" % root.title()
        answer = Response.from_app(moto, environ, buffered=True)
        answer.set_data(answer.get_data().replace(wrong, right))
        return answer(environ, start_response)
    if "/event-source-mappings/" in path and environ["REQUEST_METHOD"] == "GET":
        answer = Response.from_app(moto, environ, buffered=True)
        if answer.status_code == 404:
            answer.headers["content-type"] = "application/json"
            answer.headers["x-amzn-errortype"] = "ResourceNotFoundException"
        return answer(environ, start_response)
    if path.endswith("/recursion-config"):
        if environ["REQUEST_METHOD"] == "PUT":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            recursion[path] = json.loads(body)["RecursiveLoop"]
        start_response("200 OK", [("content-type", "application/json")])
        return [json.dumps({"RecursiveLoop": recursion.get(path, "Terminate")}).encode()]
    if not path.startswith(PREFIX):
        return moto(environ, start_response)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    client = client_of(environ)
    model = client.meta.service_model.operation_model(path.removeprefix(PREFIX))
    headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
    try:
        answer = client._make_api_call(model.name, decoded(body))
    except ClientError as error:
        said = error.response["Error"]
        text = next(iter(model.service_model.shape_for("ResourceNotFoundException").members.values()))
        fields = [("__type", said["Code"]), ("message", said["Message"])]
        body = b"\xbf" + b"".join(encoded(part, text) for field in fields for part in field) + b"\xff"
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        start_response(f"{status} Error", headers + [("x-amzn-errortype", said["Code"])])
        return [body]
    answer.pop("ResponseMetadata")
    start_response("200 OK", headers)
    return [encoded(answer, model.output_shape) if model.output_shape else b"\xa0"]


run_simple("127.0.0.1", port, application, threaded=True)
