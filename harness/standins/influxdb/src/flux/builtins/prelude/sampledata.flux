// The sets of `sampledata` that are conversions of others.
import "sampledata"

int = (includeNull=false) => sampledata.float(includeNull: includeNull) |> toInt()

uint = (includeNull=false) => sampledata.float(includeNull: includeNull) |> toUInt()

numericBool = (includeNull=false) => sampledata.bool(includeNull: includeNull) |> toInt()
