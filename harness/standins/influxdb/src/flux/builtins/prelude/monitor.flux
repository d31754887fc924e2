// The part of `influxdata/influxdb/monitor` that reads and judges. Writing goes through options.
import "experimental"
import "influxdata/influxdb/monitor"

_number = (level) =>
    if level == "crit" then
        4
    else if level == "warn" then
        3
    else if level == "info" then
        2
    else if level == "ok" then
        1
    else
        0

// Rows in which a number changes; `keep` says by how much.
_changes = (keep, tables=<-) => tables
    |> duplicate(column: "_level", as: "__level")
    |> drop(columns: ["_level"])
    |> rename(columns: {__level: "_level"})
    |> sort(columns: ["_source_timestamp", "_time"])
    |> difference(columns: ["level_value"])
    |> filter(fn: (r) => keep(by: r.level_value))
    |> drop(columns: ["level_value"])
    |> experimental.group(mode: "extend", columns: ["_level"])

stateChangesOnly = (tables=<-) => tables
    |> map(fn: (r) => ({r with level_value: _number(level: r._level)}))
    |> _changes(keep: (by) => by != 0)

_between = (fromLevel, toLevel, tables=<-) => {
    arrives = (r) =>
        if toLevel == "any" then r._level != fromLevel and exists r._level else r._level == toLevel
    leaves = (r) =>
        if fromLevel == "any" then
            r._level != toLevel and exists r._level
        else
            r._level == fromLevel

    return
        tables
            |> map(fn: (r) => ({r with
                level_value: if arrives(r: r) then 1 else if leaves(r: r) then 0 else -10,
            }))
            |> _changes(keep: (by) => by == 1)
}

stateChanges = (fromLevel="any", toLevel="any", tables=<-) =>
    if fromLevel == "any" and toLevel == "any" then
        tables |> stateChangesOnly()
    else
        tables |> _between(fromLevel: fromLevel, toLevel: toLevel)

deadman = (t, tables=<-) => tables
    |> max(column: "_time")
    |> map(fn: (r) => ({r with dead: r._time < t}))

check = (
    data,
    messageFn,
    crit=(r) => false,
    warn=(r) => false,
    info=(r) => false,
    ok=(r) => true,
    tables=<-,
) => tables
    |> experimental.set(o: data.tags)
    |> experimental.group(mode: "extend", columns: experimental.objectKeys(o: data.tags))
    |> map(fn: (r) => ({r with
        _measurement: "statuses",
        _source_measurement: r._measurement,
        _type: data._type,
        _check_id: data._check_id,
        _check_name: data._check_name,
        _level:
            if crit(r: r) then
                "crit"
            else if warn(r: r) then
                "warn"
            else if info(r: r) then
                "info"
            else if ok(r: r) then
                "ok"
            else
                "unknown",
        _source_timestamp: int(v: r._time),
        _time: now(),
    }))
    |> map(fn: (r) => ({r with _message: messageFn(r: r)}))
    |> experimental.group(
        mode: "extend",
        columns: ["_source_measurement", "_type", "_check_id", "_check_name", "_level"],
    )
    |> monitor.write()
