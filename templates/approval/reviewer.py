"""A reviewer's desk: a document lies on it until the person says what she thinks.

What: the approval's role `reviewer`.
Why: people take their time, and another reviewer may take over their desk with what lies on it.
Who: `hector call ann.decide '{"approves": true}'`.
"""

import hector
from approval import Document, Ready, Reviewer, Verdict


@hector.template(name="office.Reviewer.python")
class Desk(Reviewer):
    def __init__(self, capsule):
        self.name, self.open, self.signed = capsule.object_name, None, []

    def bound(self, session):
        self.session = session

    def submit(self, document):
        self.open = document

    def decide(self, decision):
        if self.open is None:
            raise hector.Error("FAILED_PRECONDITION", f"nothing lies on the desk of '{self.name}'")
        decided, self.open = self.open, None
        self.session.call(
            "review_verdict",
            0,
            Verdict(reviewer=self.name, approves=decision.approves, remark=decision.remark),
        )
        return decided

    def prepare(self, document):
        return Ready(ready=True)

    def commit(self, document):
        self.signed.append(document.title)

    def abort(self, document):
        pass

    def save(self):
        return self.open.SerializeToString() if self.open else b""

    def restore(self, state):
        self.open = Document.FromString(state) if state else None
