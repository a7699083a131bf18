"""What: the smallest template in Python; hello.cc is the same in C++.
Why: to begin with.
Who: `hector create object hello.Hello.python`.
"""

from hello import Greeter, Greeting


class Hello(Greeter):
    async def greet(self, name):
        return Greeting(text=f"hello {name.text}")
