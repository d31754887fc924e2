// Functions of `experimental` that are compositions of others.

alignTime = (alignTo=time(v: 0), tables=<-) => tables
    |> stateTracking(fn: (r) => true, durationColumn: "__since", durationUnit: 1ns)
    |> map(fn: (r) => ({r with _time: time(v: int(v: alignTo) + r.__since)}))
    |> drop(columns: ["__since"])
