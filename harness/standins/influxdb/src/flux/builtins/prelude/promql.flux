// Functions of `internal/promql` that are compositions of others.
import "math"

quantile = (q, method="exact_mean", tables=<-) =>
    if q < 0.0 then
        tables |> reduce(identity: {_value: math.mInf(sign: -1)}, fn: (r, accumulator) => accumulator)
    else if q > 1.0 then
        tables |> reduce(identity: {_value: math.mInf(sign: 1)}, fn: (r, accumulator) => accumulator)
    else
        tables |> quantile(q: q, method: method)
