"""A tuned scoring worker in Python: confluent-kafka with transactions, fastavro, scikit-learn on whole batches.

Reads KAFKA_BROKERS, SCHEMA_REGISTRY_URL, PEER_GROUP, PEER_INPUT, PEER_OUTPUT, PEER_TRAIN (a CSV file), PEER_BATCH.
"""

import io
import json
import os
import signal
import time
import urllib.request

import numpy as np
from confluent_kafka import Consumer, KafkaException, Producer
from fastavro import parse_schema, schemaless_reader, schemaless_writer

from peer_forest import forest_of

brokers = os.environ["KAFKA_BROKERS"]
registry = os.environ["SCHEMA_REGISTRY_URL"]
source, target = os.environ["PEER_INPUT"], os.environ["PEER_OUTPUT"]
group = os.environ["PEER_GROUP"]
batch_size = int(os.environ.get("PEER_BATCH", "2000"))
linger_ms = float(os.environ.get("PEER_LINGER_MS", "5"))


def schema_of(subject):
    with urllib.request.urlopen(f"{registry}/subjects/{subject}-value/versions/latest") as reply:
        found = json.load(reply)
    schema = json.loads(found["schema"])
    # With its logical type fastavro makes a datetime of every time, which nobody here needs.
    for field in schema["fields"]:
        if isinstance(field["type"], dict) and "logicalType" in field["type"]:
            field["type"] = field["type"]["type"]
    return found["id"], parse_schema(schema)


event_id, event_schema = schema_of(source)
prediction_id, prediction_schema = schema_of(os.environ["PEER_SCHEMA_OF"])
header = b"\0" + prediction_id.to_bytes(4, "big")
features = [field["name"] for field in event_schema["fields"] if field["name"] not in ("event_id", "event_time")]
model, classes = forest_of(os.environ["PEER_TRAIN"])

consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "session.timeout.ms": 10000,
        "fetch.wait.max.ms": int(os.environ.get("PEER_FETCH_WAIT_MS", "20")),
        "fetch.message.max.bytes": 1 << 20,
        "queued.min.messages": 50000,
    }
)
producer = Producer(
    {
        "bootstrap.servers": brokers,
        "transactional.id": f"{group}-worker",
        "transaction.timeout.ms": 8000,
        "linger.ms": linger_ms,
        "batch.num.messages": 10000,
        "batch.size": 1 << 20,
        "queue.buffering.max.messages": 1000000,
    }
)
producer.init_transactions()
consumer.subscribe([source])
stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)

wait_s = float(os.environ.get("PEER_WAIT_S", "0.05"))
while not stopping:
    messages = [m for m in consumer.consume(batch_size, wait_s) if m.error() is None]
    if not messages:
        continue
    events = [schemaless_reader(io.BytesIO(m.value()[5:]), event_schema) for m in messages]
    rows = np.array([[event[name] for name in features] for event in events])
    probabilities = model.predict_proba(rows)
    best = probabilities.argmax(axis=1)
    now = int(time.time() * 1000)
    producer.begin_transaction()
    for message, event, share, index in zip(messages, events, probabilities.tolist(), best.tolist()):
        out = io.BytesIO()
        out.write(header)
        schemaless_writer(
            out,
            prediction_schema,
            {
                "event_id": event["event_id"],
                "source_partition": message.partition(),
                "source_offset": message.offset(),
                "event_time": event["event_time"],
                "scored_at": now,
                "prediction": classes[index],
                "class_index": index,
                "confidence": share[index],
                "probabilities": share,
                "value": None,
                "model_version": "1",
                "model_role": "champion",
                "features": [event[name] for name in features],
            },
        )
        producer.produce(target, key=message.key(), value=out.getvalue(), partition=message.partition())
        producer.poll(0)
    try:
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata()
        )
        producer.commit_transaction()
    except KafkaException as error:
        raise SystemExit(str(error))
consumer.close()
