"""The archive: numbers what is filed.

What: the approval's role `archive`.
Why: what was approved must be found again.
Who: `hector call archive.titles`.
"""

import hector
from approval import Archive, Filed, Titles


@hector.template(name="office.Archive.python")
class Cabinet(Archive):
    def __init__(self):
        self.filed = []

    def file(self, document):
        self.filed.append(document.title)
        return Filed(number=len(self.filed))

    def titles(self, _):
        return Titles(titles=self.filed)
