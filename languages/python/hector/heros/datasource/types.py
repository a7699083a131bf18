"""What a datasource tells: a set of values, each with its time, unit and bounds.

What: DatasourceReturnValue and DatasourceReturnSet.
Why: their fields are those of HEROS.
Who: datasource.py, observers of datasources.
"""

from time import time as now


def ensure_string(x):
    return x.decode() if isinstance(x, bytes) else str(x)


def _field(name, default=None):
    def get(self):
        return self.get(name, default)

    def put(self, value):
        self[name] = value

    return property(get, put)


class DatasourceReturnValue(dict):
    """One measurement. `value` and `unit` are what was measured until it is calibrated."""

    def __init__(
        self,
        id=None,
        time=None,
        value=None,
        unit=None,
        raw_value=None,
        raw_unit=None,
        inbound=-1,
        calibrated=False,
        **kwargs,
    ):
        super().__init__(
            kwargs,
            id=id,
            time=now() if time is None else time,
            raw_value=raw_value,
            raw_unit="" if raw_unit is None else ensure_string(raw_unit),
            inbound=inbound,
            calibrated=calibrated,
            value=raw_value if value is None else value,
            unit="" if unit is raw_unit is None else ensure_string(unit or raw_unit),
        )

    id, time = _field("id"), _field("time", 0)
    raw_value, raw_unit = _field("raw_value"), _field("raw_unit")
    inbound, calibrated = _field("inbound", -1), _field("calibrated", False)

    @property
    def value(self):
        return self.get("value") if self.get("calibrated") else self.get("raw_value")

    @value.setter
    def value(self, value):
        self["value"] = value

    @property
    def unit(self):
        return self.get("unit") if self.get("calibrated") else self.get("raw_unit")

    @unit.setter
    def unit(self, value):
        self["unit"] = value

    def __str__(self):
        return f"{self.time:.3f}: {self.value} {self.unit} (inbound={self.inbound:d})"

    def __repr__(self):
        return f"DatasourceReturnValue({dict.__repr__(self)})"


class DatasourceReturnSet(tuple):
    @staticmethod
    def from_data(data):
        """A number, (number, unit), a mapping of names to either, a list of those, or values as
        they are.
        """
        if isinstance(data, DatasourceReturnSet):
            return data
        if isinstance(data, DatasourceReturnValue):
            return DatasourceReturnSet([data])
        items = (
            data.items()
            if isinstance(data, dict)
            else enumerate(
                data if isinstance(data, (list, tuple)) and not _is_pair(data) else [data]
            )
        )
        return DatasourceReturnSet(
            each if isinstance(each, DatasourceReturnValue) else _one(str(name), each)
            for name, each in items
        )


def _is_pair(data):
    return isinstance(data, tuple) and len(data) == 2 and isinstance(data[1], str)


def _one(name, data):
    value, unit = data if _is_pair(data) else (data, "")
    return DatasourceReturnValue(id=name, raw_value=value, raw_unit=unit)
