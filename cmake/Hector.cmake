# What: how everything here is compiled, and the three helpers that the folders use.
# Why: a folder says what it is; where it goes and with which switches is said once.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(HECTOR_PLUGIN_DIRECTORY ${CMAKE_BINARY_DIR}/lib/hector)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
# Inline statics in plugins must not pin them in memory (STB_GNU_UNIQUE).
# Nothing of ours is interposed, so calls inside one library may be direct and inlined.
add_compile_options(-fno-semantic-interposition -fno-plt)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique> -Wall -Wextra -Wno-unused-parameter
  -Wno-missing-field-initializers)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

set(HECTOR_SANITIZE "" CACHE STRING "address, thread or empty")
if(HECTOR_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(HECTOR_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -Wno-tsan -DBOOST_ASIO_DISABLE_FENCED_BLOCK)
  add_link_options(-fsanitize=thread)
endif()
option(HECTOR_COVERAGE "count executed lines" OFF)
if(HECTOR_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# What a plugin's manifest and the capsule must agree on before the library is opened. The number
# stands in kernel/include/hector/plugin.h.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../kernel/include/hector/plugin.h abi
  REGEX "^#define HECTOR_ABI_VERSION [0-9]+$")
string(REGEX MATCH "[0-9]+$" abi "${abi}")
if(NOT abi)
  message(FATAL_ERROR "kernel/include/hector/plugin.h defines no HECTOR_ABI_VERSION")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_LIST_DIR}/../kernel/include/hector/plugin.h)
set(HECTOR_ABI_RECORD "${abi} ${CMAKE_CXX_COMPILER_ID}-${CMAKE_CXX_COMPILER_VERSION} c++20")

# hector_proto(target FILES… [IMPORTS dirs]): C++ code of .proto files, compiled into `target`.
# Paths are relative to this folder's BASE.
function(hector_proto target)
  cmake_parse_arguments(P "LITE" "BASE" "FILES;IMPORTS" ${ARGN})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/proto)
  file(MAKE_DIRECTORY ${out})
  set(imports -I${P_BASE})
  foreach(import ${P_IMPORTS})
    list(APPEND imports -I${import})
  endforeach()
  set(kind "")
  if(P_LITE)
    set(kind "lite:")
  endif()
  foreach(file ${P_FILES})
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    add_custom_command(
      OUTPUT ${out}/${stem}.pb.cc ${out}/${stem}.pb.h
      COMMAND protobuf::protoc ${imports} --cpp_out=${kind}${out} ${P_BASE}/${file}
      DEPENDS ${P_BASE}/${file} VERBATIM)
    target_sources(${target} PRIVATE ${out}/${stem}.pb.cc)
    set_source_files_properties(${out}/${stem}.pb.cc PROPERTIES COMPILE_OPTIONS "-w")
  endforeach()
  target_include_directories(${target} SYSTEM PUBLIC ${out})
endfunction()

# hector_texts(FILE…): hector/NAME.hector.yaml and hector/NAME.proto of this folder as NAME_yaml.inc
# and NAME_proto.inc, for #include.
function(hector_texts)
  foreach(text ${ARGN})
    file(READ hector/${text} content)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS hector/${text})
    string(REGEX REPLACE "(.hector)?[.](yaml|proto)$" "_\\2.inc" name ${text})
    file(CONFIGURE OUTPUT ${name} CONTENT "R\"(\${content})\"\n")
  endforeach()
endfunction()

# hector_library(name [SHARED] SOURCES … LIBRARIES …): a library and its alias hector::name.
function(hector_library name)
  cmake_parse_arguments(L "SHARED" "" "SOURCES;LIBRARIES" ${ARGN})
  if(L_SHARED)
    add_library(${name} SHARED ${L_SOURCES})
  else()
    add_library(${name} STATIC ${L_SOURCES})
  endif()
  add_library(hector::${name} ALIAS ${name})
  target_link_libraries(${name} PUBLIC ${L_LIBRARIES})
endfunction()

# hector_crate(zenoh 5 exports.cc): the crate in this folder's rust/, built by cargo once for all
# presets, behind a C ABI: hector::zenoh_c, one shared library that exports what exports.map says.
# MINUTES: of the first build. SOURCE: a shared library has to have one.
function(hector_crate name minutes source)
  find_program(CARGO cargo HINTS $ENV{HOME}/.cargo/bin REQUIRED)
  set(target ${CMAKE_SOURCE_DIR}/build/rust)
  set(archive ${target}/release/libhector_${name}.a)
  file(GLOB sources CONFIGURE_DEPENDS rust/src/*.rs)
  add_custom_command(
    OUTPUT ${archive}
    COMMAND ${CARGO} build --release --quiet
      --manifest-path ${CMAKE_CURRENT_SOURCE_DIR}/rust/Cargo.toml --target-dir ${target}
    DEPENDS ${sources} rust/Cargo.toml
    COMMENT "${name} crate (about ${minutes} minutes the first time)" USES_TERMINAL VERBATIM)
  add_custom_target(hector_${name}_rust DEPENDS ${archive})

  add_library(hector_${name} SHARED ${source})
  add_library(hector::${name}_c ALIAS hector_${name})
  add_dependencies(hector_${name} hector_${name}_rust)
  target_include_directories(hector_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/..)
  target_link_libraries(hector_${name}
    PRIVATE -Wl,--whole-archive ${archive} -Wl,--no-whole-archive dl m pthread)
  target_link_options(hector_${name}
    PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/exports.map)
  set_target_properties(hector_${name}
    PROPERTIES LINK_DEPENDS "${archive};${CMAKE_CURRENT_SOURCE_DIR}/exports.map")
endfunction()

# hector_plugin(SOURCES … LIBRARIES …): this folder's plugin. Kind and name are the folder's; its
# manifest goes beside the library, with the ABI record of this build added.
function(hector_plugin)
  cmake_parse_arguments(P "" "" "SOURCES;LIBRARIES" ${ARGN})
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME name)
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR PARENT_PATH parent)
  cmake_path(GET parent FILENAME kind)
  set(target ${kind}_${name})
  add_library(${target} MODULE ${P_SOURCES})
  target_link_libraries(${target} PRIVATE hector::kernel ${P_LIBRARIES})
  set(folder ${HECTOR_PLUGIN_DIRECTORY}/${kind}/${name})
  set_target_properties(${target} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${folder} OUTPUT_NAME ${name} PREFIX ""
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  file(READ plugin.yaml manifest)
  file(CONFIGURE OUTPUT ${folder}/plugin.yaml
    CONTENT "${manifest}abi: \"${HECTOR_ABI_RECORD}\"\nlibrary: ${name}.so\n" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${CMAKE_CURRENT_SOURCE_DIR}/plugin.yaml)
  set_property(GLOBAL APPEND PROPERTY HECTOR_PLUGINS ${target})
endfunction()

# hector_generate_types(target FILES x.hector.yaml… [MESSAGES x/messages.proto…]): typed C++ for
# these types and classes for their messages, in `target`: #include "x.hector.h" gives a class to
# derive a template from for each Interface, a stub to call it, and for each role what it may start.
# A wrong operation does not compile, and the message names it. Paths are relative to the current
# folder.
function(hector_generate_types target)
  cmake_parse_arguments(G "" "" "FILES;MESSAGES" ${ARGN})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/types/${target})
  file(MAKE_DIRECTORY ${out})
  if(G_MESSAGES)
    hector_proto(${target} BASE ${CMAKE_CURRENT_SOURCE_DIR} FILES ${G_MESSAGES})
  endif()
  foreach(file ${G_FILES})
    cmake_path(GET file FILENAME name)
    string(REGEX REPLACE "\\.ya?ml$" ".h" header ${name})
    add_custom_command(OUTPUT ${out}/${header}
      COMMAND $<TARGET_FILE:hector::program> type gen ${CMAKE_CURRENT_SOURCE_DIR}/${file} --out
          ${out}/${header}
      DEPENDS ${file} ${G_MESSAGES} hector::program VERBATIM)
    target_sources(${target} PRIVATE ${out}/${header})
  endforeach()
  target_include_directories(${target} PUBLIC ${out})
endfunction()

# hector_generate_servants(target [BASE folder] FILES x.hector.yaml… [PROTOS folder…]): for
# Hector's own side of these Interfaces, in `target`: #include "x.hector.h" gives the servant's base
# class and a client. Messages are found in BASE (the current folder), in PROTOS and in the kernel's
# protos.
function(hector_generate_servants target)
  cmake_parse_arguments(G "" "BASE" "FILES;PROTOS" ${ARGN})
  if(NOT G_BASE)
    set(G_BASE ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  set(folders ${G_BASE} ${G_PROTOS} ${CMAKE_SOURCE_DIR}/kernel/proto
    ${CMAKE_SOURCE_DIR}/types/proto)
  set(protos)
  foreach(folder ${folders})
    file(GLOB_RECURSE found CONFIGURE_DEPENDS ${folder}/*.proto)
    list(APPEND protos ${found})
  endforeach()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/servants)
  foreach(file ${G_FILES})
    string(REGEX REPLACE "[.]yaml$" ".h" header ${file})
    cmake_path(GET header PARENT_PATH folder)
    file(MAKE_DIRECTORY ${out}/${folder})
    add_custom_command(OUTPUT ${out}/${header}
      COMMAND hector-typegen ${G_BASE}/${file} ${out}/${header} ${folders}
      DEPENDS ${G_BASE}/${file} ${protos} hector-typegen VERBATIM)
    target_sources(${target} PRIVATE ${out}/${header})
  endforeach()
  target_include_directories(${target} PUBLIC ${out})
endfunction()

# hector_template(name SOURCES x.cc TYPES x.hector.yaml MESSAGES x/messages.proto): a template in
# C++, NAME.so, with its types made by
# hector_generate_types().
function(hector_template name)
  if(NOT TARGET hector::cpp)
    return()
  endif()
  cmake_parse_arguments(T "" "" "SOURCES;TYPES;MESSAGES" ${ARGN})
  add_library(${name} MODULE ${T_SOURCES})
  hector_generate_types(${name} FILES ${T_TYPES} MESSAGES ${T_MESSAGES})
  target_link_libraries(${name} PRIVATE hector::cpp protobuf::libprotobuf)
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${HECTOR_PLUGIN_DIRECTORY}/templates/${folder})
endfunction()

# hector_templates(MESSAGES x/messages.proto CPP a b COPY globs): this folder's templates, in C++
# one for each NAME.cc; files that are read as they are (types, Python, samples) are copied beside
# them. The message classes are one shared library: two copies of a .proto in one process abort it.
function(hector_templates)
  cmake_parse_arguments(T "" "" "MESSAGES;CPP;COPY" ${ARGN})
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME name)
  set(folder ${HECTOR_PLUGIN_DIRECTORY}/templates/${name})
  if(NOT TARGET hector::cpp)
    set(T_CPP "")
  endif()
  if(T_CPP)
    add_library(${name}_messages SHARED)
    hector_proto(${name}_messages BASE ${CMAKE_CURRENT_SOURCE_DIR} FILES ${T_MESSAGES})
    target_link_libraries(${name}_messages PUBLIC protobuf::libprotobuf)
    set_target_properties(${name}_messages PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${folder})
  endif()
  foreach(template ${T_CPP})
    add_library(${name}_${template} MODULE ${template}.cc)
    target_link_libraries(${name}_${template} PRIVATE hector::cpp ${name}_messages fmt::fmt)
    set_target_properties(${name}_${template} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${folder}
      OUTPUT_NAME ${template} PREFIX ""
      CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  endforeach()
  file(GLOB copied CONFIGURE_DEPENDS ${T_COPY})
  foreach(file ${copied} ${T_MESSAGES})
    cmake_path(ABSOLUTE_PATH file)
    file(RELATIVE_PATH place ${CMAKE_CURRENT_SOURCE_DIR} ${file})
    configure_file(${file} ${folder}/${place} COPYONLY)
  endforeach()
endfunction()

# hector_test(name SOURCES … LIBRARIES …): one test binary for a folder, run by ctest.
function(hector_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_property(GLOBAL APPEND PROPERTY HECTOR_UNIT_TESTS ${name})
  set(environment HECTOR_SOURCE=${CMAKE_SOURCE_DIR} HECTOR_BUILD=${CMAKE_BINARY_DIR}
    TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp)
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS unit
    ENVIRONMENT "${environment}")
endfunction()
