"""The author: submits a document, collects the verdicts, has it signed and filed.

What: the approval's role `author`.
Why: it starts everything but the verdicts.
Who: `hector call author.propose '{"title": "Rules"}'`.
"""

import hector
from approval import Author, Filed, Nothing, Ready, Status


@hector.template(name="office.Author.python")
class Writer(Author):
    def __init__(self):
        self.session, self.document, self.state = None, None, Status()

    def bound(self, session):
        self.session = session

    def propose(self, document):
        if self.session is None:
            raise hector.Error(
                "FAILED_PRECONDITION",
                "the author is in no Binding; instantiate office.Approval/1 first",
            )
        if self.state.state == "in review":
            raise hector.Error("FAILED_PRECONDITION", f"'{self.document.title}' is in review")
        self.document, self.state = document, Status(state="in review")
        self.session.multicast("review_submit", document)
        return self.state

    def status(self, _):
        return self.state

    def verdict(self, verdict):
        self.state.verdicts.append(verdict)
        if len(self.state.verdicts) < len(self.session.members("reviewer")):
            return
        if all(each.approves for each in self.state.verdicts):
            self.sign()
        else:
            self.state.state = "rejected"

    def sign(self):
        ready = self.session.multicast("sign_prepare", self.document, Ready)
        if not all(each.ready for each in ready):
            self.session.multicast("sign_abort", self.document)
            self.state.state = "withdrawn"
            return
        self.session.multicast("sign_commit", self.document)
        self.state.number = self.session.call("file", 0, self.document, Filed).number
        self.state.state = "published"
