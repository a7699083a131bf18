from hello import Greeter, Greeting


class Hello(Greeter):
    async def greet(self, name):
        return Greeting(text=f"hello {name.text}")
