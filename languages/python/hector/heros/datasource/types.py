"""What a datasource tells: a set of values, each with its time, unit and bounds.

What: DatasourceReturnValue and DatasourceReturnSet.
Why: their fields are those of HEROS.
Who: datasource.py, observers of datasources.
"""

import time


class DatasourceReturnValue(dict):
    def __init__(self, **fields):
        super().__init__(
            {
                "id": None,
                "time": time.time(),
                "raw_value": None,
                "raw_unit": "",
                "inbound": -1,
                "calibrated": False,
                **fields,
            }
        )
        self.setdefault("value", self["raw_value"])
        self.setdefault("unit", self["raw_unit"])

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value

    @property
    def value(self):
        return self.get("value") if self.get("calibrated") else self.get("raw_value")

    @property
    def unit(self):
        return self.get("unit") if self.get("calibrated") else self.get("raw_unit")


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
