// The part of `influxdata/influxdb/sample` that needs no download.

alignToNow = (tables=<-) => {
    last =
        tables
            |> keep(columns: ["_time"])
            |> last(column: "_time")
            |> findRecord(fn: (key) => true, idx: 0)

    return tables |> timeShift(duration: duration(v: int(v: now()) - int(v: last._time)))
}
