"""Open-loop load and a read_committed reader in one process, by librdkafka: the latency from the moment an event was due
to be sent to the moment its prediction is read.

Events are encoded before the first one is due, so that the load costs little of the machine that it measures. They are due at a steady rate, whether or not earlier ones were answered: one that leaves late counts from when it was
due. Reads KAFKA_BROKERS, SCHEMA_REGISTRY_URL, PEER_INPUT, PEER_OUTPUT and its arguments: rate per second, seconds,
partitions. Prints one line of JSON.
"""

import io
import json
import os
import sys
import threading
import time
import urllib.request

from confluent_kafka import Consumer, Producer, TopicPartition
from fastavro import parse_schema, schemaless_writer

brokers, registry = os.environ["KAFKA_BROKERS"], os.environ["SCHEMA_REGISTRY_URL"]
source, target = os.environ["PEER_INPUT"], os.environ["PEER_OUTPUT"]
rate, seconds, partitions = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
warm = int(rate * 3)
total = warm + int(rate * seconds)

with urllib.request.urlopen(f"{registry}/subjects/{source}-value/versions/latest") as reply:
    found = json.load(reply)
schema = json.loads(found["schema"])
names = [field["name"] for field in schema["fields"]]
for field in schema["fields"]:
    if isinstance(field["type"], dict) and "logicalType" in field["type"]:
        field["type"] = field["type"]["type"]
schema = parse_schema(schema)
header = b"\0" + found["id"].to_bytes(4, "big")
prefix = f"latency-{os.getpid()}-"


def encoded(i, event_time):
    out = io.BytesIO()
    out.write(header)
    event = {name: 1.0 + (i % 50) / 10 for name in names}
    schemaless_writer(out, schema, {**event, "event_id": f"{prefix}{i}", "event_time": int(event_time)})
    return out.getvalue()


consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": f"{prefix}reader",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "fetch.wait.max.ms": 500,
        "fetch.min.bytes": 1,
    }
)
ends = [TopicPartition(target, p, consumer.get_watermark_offsets(TopicPartition(target, p))[1]) for p in range(partitions)]
consumer.assign(ends)
producer = Producer({"bootstrap.servers": brokers, "linger.ms": 0, "acks": "all"})
due, seen = [0.0] * total, [0.0] * total
received = 0


def read():
    global received
    silent_since = time.monotonic()
    while received < total and time.monotonic() - silent_since < 20:
        message = consumer.poll(0.5)
        if message is None or message.error() is not None:
            continue
        now = time.monotonic()
        silent_since = now
        key = message.key().decode()
        if not key.startswith(prefix):
            continue
        place = int(key[len(prefix) :])
        if seen[place] == 0.0:
            seen[place] = now
            received += 1


keys = [f"{prefix}{i}" for i in range(total)]
wall = 1000 * (time.time() + 0.2 + total * 20e-6)
values = [encoded(i, wall + 1000 * i / rate) for i in range(total)]
reader = threading.Thread(target=read)
reader.start()
start = time.monotonic() + 0.1
for i in range(total):
    due[i] = start + i / rate
    wait = due[i] - time.monotonic()
    if wait > 0:
        producer.poll(0)
        time.sleep(wait)
    producer.produce(source, key=keys[i], value=values[i], partition=i % partitions)
producer.flush()
reader.join()
consumer.close()
late = sorted(1000 * (seen[i] - due[i]) for i in range(warm, total) if seen[i] > 0.0)


def quantile(q):
    return late[min(len(late) - 1, int(q * len(late)))] if late else None


print(
    json.dumps(
        {
            "p50": quantile(0.5),
            "p99": quantile(0.99),
            "p999": quantile(0.999),
            "max": late[-1] if late else None,
            "sent": total,
            "received": received,
        }
    )
)
