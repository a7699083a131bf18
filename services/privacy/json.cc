// Boost.JSON's code, compiled here once.
#include <boost/json/src.hpp>
