"""The same work on Quix Streams with its exactly-once guarantee, in the way its documentation shows: a function a row.

Reads KAFKA_BROKERS, SCHEMA_REGISTRY_URL, PEER_GROUP, PEER_INPUT, PEER_OUTPUT, PEER_TRAIN (a CSV file).
"""

import json
import os
import urllib.request

from quixstreams import Application
from quixstreams.models.serializers.avro import AvroDeserializer, AvroSerializer
from quixstreams.models.serializers import SchemaRegistryClientConfig

from peer_forest import forest_of

registry = os.environ["SCHEMA_REGISTRY_URL"]
model, classes = forest_of(os.environ["PEER_TRAIN"])


def schema_of(subject):
    with urllib.request.urlopen(f"{registry}/subjects/{subject}-value/versions/latest") as reply:
        return json.loads(json.load(reply)["schema"])


client = SchemaRegistryClientConfig(url=registry)
app = Application(
    broker_address=os.environ["KAFKA_BROKERS"],
    consumer_group=os.environ["PEER_GROUP"],
    auto_offset_reset="earliest",
    processing_guarantee="exactly-once",
    commit_interval=float(os.environ.get("PEER_COMMIT_S", "0.1")),
    auto_create_topics=False,
    use_changelog_topics=False,
)
source = app.topic(
    os.environ["PEER_INPUT"], value_deserializer=AvroDeserializer(schema_registry_client_config=client)
)
target = app.topic(
    os.environ["PEER_OUTPUT"],
    value_serializer=AvroSerializer(
        schema_of(os.environ["PEER_SCHEMA_OF"]),
        schema_registry_client_config=client,
    ),
)


def score(event, _key, timestamp, _headers):
    features = [value for name, value in event.items() if name not in ("event_id", "event_time")]
    share = model.predict_proba([features])[0].tolist()
    index = share.index(max(share))
    return {
        "event_id": event["event_id"],
        "source_partition": None,
        "source_offset": None,
        "event_time": timestamp,
        "scored_at": timestamp,
        "prediction": classes[index],
        "class_index": index,
        "confidence": share[index],
        "probabilities": share,
        "value": None,
        "model_version": "1",
        "model_role": "champion",
        "features": features,
    }


app.dataframe(source).apply(score, metadata=True).to_topic(target)
print("ready", flush=True)
app.run()
