// Functions of `internal/promql` that are compositions of others.
import "math"

_always = (value, tables=<-) => tables
    |> reduce(identity: {_value: value}, fn: (r, accumulator) => accumulator)

quantile = (q, method="exact_mean", tables=<-) =>
    if q < 0.0 then
        tables |> _always(value: math.mInf(sign: -1))
    else if q > 1.0 then
        tables |> _always(value: math.mInf(sign: 1))
    else
        tables |> quantile(q: q, method: method)
