// Look-ups of names: `influxdata/influxdb/schema`, and the same functions under
// `influxdata/influxdb/v1`.

import "influxdata/influxdb/schema"

fieldsAsCols = (tables=<-) => tables
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")

tagValues = (bucket, tag, predicate=(r) => true, start=-30d, stop=now()) =>
    schema._from(bucket: bucket)
    |> range(start: start, stop: stop)
    |> filter(fn: predicate)
    |> schema._values(tag: tag)

tagKeys = (bucket, predicate=(r) => true, start=-30d, stop=now()) =>
    schema._from(bucket: bucket)
    |> range(start: start, stop: stop)
    |> filter(fn: predicate)
    |> schema._keys()

measurements = (bucket, start=-30d, stop=now()) =>
    tagValues(bucket: bucket, tag: "_measurement", start: start, stop: stop)

fieldKeys = (bucket, predicate=(r) => true, start=-30d, stop=now()) =>
    tagValues(bucket: bucket, tag: "_field", predicate: predicate, start: start, stop: stop)

measurementTagValues = (bucket, measurement, tag, start=-30d, stop=now()) => tagValues(
    bucket: bucket, tag: tag, predicate: (r) => r._measurement == measurement,
    start: start, stop: stop,
)

measurementTagKeys = (bucket, measurement, start=-30d, stop=now()) => tagKeys(
    bucket: bucket, predicate: (r) => r._measurement == measurement, start: start, stop: stop,
)

measurementFieldKeys = (bucket, measurement, start=-30d, stop=now()) => fieldKeys(
    bucket: bucket, predicate: (r) => r._measurement == measurement, start: start, stop: stop,
)
